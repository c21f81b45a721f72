/** An error as it may be logged: everything here comes from code, nothing from data. */
export interface ErrorDescription {
  readonly name: string;
  readonly code?: string | number;
  readonly type?: string;
  readonly constraint?: string;
  readonly frames: readonly string[];
  readonly cause?: ErrorDescription;
  readonly errors?: readonly ErrorDescription[];
}

const FRAMES_MAX = 12;
const DEPTH_MAX = 3;
const FRAME = /^\s+at .*(?::\d+:\d+\)?|\(<anonymous>\)|\(native\))$/;

const textLike = (value: unknown, pattern: RegExp): string | undefined =>
  typeof value === 'string' && pattern.test(value) ? value : undefined;

/** The frames at the end of a stack. Its first lines repeat the message, and PostgreSQL's and MikroORM's messages carry row values. */
function framesOf(stack: unknown): string[] {
  if (typeof stack !== 'string') return [];
  const lines = stack.split('\n');
  const first = lines.findLastIndex((line) => !FRAME.test(line)) + 1;
  return lines.slice(first, first + FRAMES_MAX).map((line) => line.trim());
}

/** Describes anything thrown without its message: name, code, constraint and stack frames, and the same of its causes. */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (typeof error !== 'object' || error === null) return { name: `thrown ${typeof error}`, frames: [] };
  const { name, code, type, constraint, stack, cause, errors } = error as Record<string, unknown>;
  const codeText = typeof code === 'number' ? code : textLike(code, /^[A-Za-z0-9_]{1,60}$/);
  const typeText = textLike(type, /^[A-Z_]{1,60}$/);
  const constraintText = textLike(constraint, /^[a-z][a-z0-9_]{0,62}$/);
  const deeper = depth + 1 < DEPTH_MAX;
  return {
    name: textLike(name, /^[A-Za-z_$][A-Za-z_$]{0,60}$/) ?? 'Error',
    ...(codeText === undefined ? {} : { code: codeText }),
    ...(typeText === undefined ? {} : { type: typeText }),
    ...(constraintText === undefined ? {} : { constraint: constraintText }),
    frames: framesOf(stack),
    ...(cause === undefined || !deeper ? {} : { cause: describeError(cause, depth + 1) }),
    ...(Array.isArray(errors) && deeper
      ? { errors: errors.slice(0, 5).map((inner) => describeError(inner, depth + 1)) }
      : {}),
  };
}
