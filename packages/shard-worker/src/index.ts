export { arrearsMessages } from './arrears-messages.ts';
export { writeAllApplied, writeApplied } from './commit.ts';
export { readWorkerConfig, type WorkerConfig } from './config.ts';
export { type AppliedIn, type BatchPlace, type Core, FULL_SHARE, type OrderStep, type Share } from './core.ts';
export { HELD_MAX, HeldRoom } from './held-room.ts';
export {
  badRows,
  contentHash,
  deadRow,
  type OutboxTargets,
  readDead,
  readNote,
  readResultStamp,
  resultRow,
  sealRow,
  toOutboxRow,
} from './outbox.ts';
export { holdBehind, withQuarantine } from './quarantine.ts';
export { partitionsProblem, requirePolicies } from './requirements.ts';
export { runWorker, type WorkerBackground, type WorkerParts } from './run.ts';
export { classify, shardStore } from './store.ts';
