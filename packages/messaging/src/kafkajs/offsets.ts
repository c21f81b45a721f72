import type { Admin, SeekEntry } from 'kafkajs';
import { classifyKafkaError } from './errors.ts';

const ATTEMPTS_MAX = 40;
const PAUSE_MS = 50;

/** Start and end of every partition of a topic. Waits up to 2 s while a partition has no leader, as just after its creation. */
export async function topicOffsets(
  admin: Admin,
  topic: string,
): Promise<Array<SeekEntry & { high: string; low: string }>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await admin.fetchTopicOffsets(topic);
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || classifyKafkaError(error) !== 'transient') throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
