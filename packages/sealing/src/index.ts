export {
  type Content,
  Envelopes,
  isSealed,
  type Opened,
  openIfPossible,
  type Place,
  type SealedContent,
  type StoredContent,
  Unopened,
} from './envelopes.ts';
export { KEY_FILE_SETTING, keyFileSetting, makeKeyFile, newKey } from './key-file.ts';
