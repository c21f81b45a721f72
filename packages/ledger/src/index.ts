export {
  type ArrearsChunk,
  type CheckProgress,
  concernedIn,
  findChecks,
  leaveOut,
  leftOut,
  moveCheck,
  type OpenCheck,
  openCheck,
  readChunk,
} from './arrears-check.ts';
export {
  type BackdatedDraw,
  drawsSince,
  findBackdated,
  type NotedReason,
  type StoredDraw,
  writeBackdated,
} from './backdated.ts';
export { type BindingChange, findBindingChanges, type NotedChange } from './binding-changes.ts';
export { type BookDay, closeBooks, closedDays, NotClosable, type NotClosableReason } from './book-days.ts';
export { OtherSchema, type Role, schemaKey } from './database.ts';
export { countDead, type DeadFilter, type DeadRow, findDead, findDeadAt } from './dead-letters.ts';
export { type BindingMove, type ClaimDraw, findDraws, findMovesSince } from './draws.ts';
export { codeOf, Fenced, isRetry, isTransient, isUnprepared, Raced } from './errors.ts';
export { findHeldRefunds, type HeldRefund } from './held-refunds.ts';
export { Ledger, type LedgerOptions, type ShardKey, type ShardRow } from './ledger.ts';
export { type LoadableEvent, loadMembers } from './load-members.ts';
export { MemberWorld } from './member-world.ts';
export { migrate } from './migrate.ts';
export { BadBlock, type OutcomeRow, payloadText, readStored, type ViewedOutcome } from './outcome-blocks.ts';
export {
  countPaused,
  findOutcomesOf,
  isFirstAttached,
  type LoggedOutcome,
  type OutcomePlace,
  outcomesAfter,
  readProgress,
  type ShardProgress,
} from './outcome-log.ts';
export {
  addMonths,
  archivable,
  archivePartitions,
  createPartition,
  currentMonth,
  findPartitions,
  isMonth,
  type MissingPartition,
  type Month,
  missingPartitions,
  monthsAhead,
  NotArchivable,
  type PartedTable,
  type Partition,
  proveBounds,
  type Refusal,
  restorePartitions,
} from './partitions.ts';
export {
  type HeldMessage,
  heldForWork,
  heldFrom,
  heldSize,
  holdForWork,
  holdMessages,
  isWork,
  letGo,
  moveOrder,
  noteFailure,
  type OrderResult,
  openOrder,
  partHeld,
  type QuarantineOrder,
  quarantineDepth,
} from './quarantine.ts';
export {
  countHeld,
  findHeld,
  findQuarantines,
  type HeldPlace,
  heldAmong,
  leaveOrder,
  type NewOrder,
  OrderNameTaken,
  type OrderState,
  type Quarantine,
  type QuarantineFilter,
  readOrder,
} from './quarantine-orders.ts';
export {
  type EventPlace,
  findAnswers,
  findBindings,
  findBindingsById,
  findDeadSince,
  findEvent,
  findFamily,
  findInsuredIn,
  findOutcome,
  findPerson,
  findPersonsAfter,
  findPlace,
  findProgress,
  type PersonRange,
  type RowSource,
  readSnapshot,
  type StoredOutcome,
  type StoredPerson,
} from './reads.ts';
export { Snapshot } from './snapshot.ts';
export { contentColumns, contentFrom, type StoredHeaders } from './stored-content.ts';
export {
  booksOf,
  type KnownId,
  LedgerTransaction,
  type LockedShard,
  type ShardLease,
  type StoredWork,
} from './transaction.ts';
export { findUsage, type UsageFilter, type UsagePlace, type UsageRow } from './usage.ts';
export {
  type BatchWrites,
  type BookWrites,
  type EventId,
  type PlacedOutcome,
  type ShardWrites,
  type WorkItem,
  writeBatch,
  writeBatches,
} from './write.ts';
