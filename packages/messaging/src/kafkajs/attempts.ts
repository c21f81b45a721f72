import { classifyKafkaError } from './errors.ts';

/** How often a request is made at most, and the pause in ms between two attempts. */
export interface Attempts {
  readonly max: number;
  readonly pauseMs: number;
  /** Whether an error may pass; default: `classifyKafkaError` calls it transient. */
  readonly passes?: (error: unknown) => boolean;
  readonly onWait?: () => void;
}

const isTransient = (error: unknown): boolean => classifyKafkaError(error) === 'transient';

/** Repeats a request while its failure passes. Rejects with the broker's error when that is lasting or the attempts are used up. */
export async function whilePassing<T>(
  request: () => Promise<T>,
  { max, pauseMs, passes = isTransient, onWait = () => {} }: Attempts,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      if (attempt === max || !passes(error)) throw error;
      onWait();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
