import type { Dice } from './dice.ts';

/** What is fed with hostile inputs. `feed` makes one from the dice, gives it to the product and throws where the answer breaks a promise. */
export interface Target {
  readonly name: string;
  feed(dice: Dice): void | Promise<void>;
}

/** A promise that was broken. */
class Broken extends Error {
  override readonly name = 'Broken';
}

export function promise(isKept: boolean, what: string): asserts isKept {
  if (!isKept) throw new Broken(what);
}

/** An error as a finding tells it: short, with the place it came from. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 300);
  if (error instanceof Broken) return error.message.slice(0, 600);
  const frames = (error.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
  const places = frames.slice(0, 3).map((line) => line.trim());
  return `${error.name}: ${error.message.slice(0, 300)} ${places.join(' ')}`;
}
