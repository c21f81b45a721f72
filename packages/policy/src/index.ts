export { type LoadedPolicies, loadPolicies, shippedPolicies } from './load.ts';
export { type PackFile, type ParsedPacks, parsePacks } from './packs.ts';
export {
  HEADER,
  PARAMETER_NAMES,
  PARAMETERS,
  type ParameterName,
  type ParameterValue,
  type PlainValue,
} from './parameters.ts';
export { createPolicies, type ExplainedParameter, type Policies, type Source } from './policies.ts';
export type { Pack } from './versions.ts';
