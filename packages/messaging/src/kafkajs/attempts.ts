import { classifyKafkaError } from './errors.ts';

/** How often a request is made at most, and how long is waited between. */
export interface Attempts {
  readonly max: number;
  readonly pauseMs: number;
  /** Whether another attempt may do; default: whatever the broker says will pass. */
  readonly passes?: (error: unknown) => boolean;
  readonly onWait?: () => void;
}

const isTransient = (error: unknown): boolean => classifyKafkaError(error) === 'transient';

/** Makes a request again while its failure passes. Rejects with the broker's error when that is lasting, or the attempts are used up. */
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
