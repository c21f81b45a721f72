import type { Admin, SeekEntry } from 'kafkajs';
import { whilePassing } from './attempts.ts';

export const OFFSET_ATTEMPTS = { max: 40, pauseMs: 50 };

/** Start and end of every partition of a topic. Waits up to 2 s while a partition has no leader, as just after its creation. */
export async function topicOffsets(
  admin: Admin,
  topic: string,
): Promise<Array<SeekEntry & { high: string; low: string }>> {
  return whilePassing(() => admin.fetchTopicOffsets(topic), OFFSET_ATTEMPTS);
}
