export { sizeOf } from './chunks.ts';
export type { Clock } from './clock.ts';
export { FencedError, HaltError, type HaltReason } from './errors.ts';
export type { KafkaConnection } from './kafkajs/client.ts';
export { classifyKafkaError } from './kafkajs/errors.ts';
export { KafkaLog, type KafkaLogOptions } from './kafkajs/log.ts';
export { type PositionOptions, PositionReader } from './kafkajs/position.ts';
export { KafkaPublisher, type KafkaPublisherOptions } from './kafkajs/publisher.ts';
export { type RecordPlace, RecordReader } from './kafkajs/record-reader.ts';
export { type OutgoingRecord, readToEnd, Sender, type TailedRecord, type TailOptions, tail } from './kafkajs/tools.ts';
export {
  countPartitions,
  createTopics,
  PartitionCountError,
  TOPIC_BYTES_MAX,
  type TopicNames,
  type TopicOptions,
  topicNames,
} from './kafkajs/topics.ts';
export { findBounds, findTruncated, type PartitionBounds, type Truncated } from './kafkajs/truncated.ts';
export type { Observer, ShardPhase, Step } from './observer.ts';
export { type Failpoint, LIMITS, type Limits, type ProcessorOptions } from './options.ts';
export { partitionForKey } from './partition.ts';
export type {
  Applied,
  Batch,
  BatchContext,
  BatchProcessor,
  Disposition,
  Headers,
  InputLog,
  InputProgress,
  InputRecord,
  Lease,
  LogBounds,
  LogSession,
  OutboxRow,
  Publisher,
  ShardHandler,
  ShardId,
  ShardState,
  ShardStore,
  WaitingRecord,
} from './port.ts';
export { createProcessor } from './processor.ts';
