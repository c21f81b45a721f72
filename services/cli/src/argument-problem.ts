/** What `parseArgs` throws: an option that does not exist, or lacks its value, or an argument that no command takes. */
export const isAboutArguments = (error: unknown): error is Error & { readonly code: string } =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');

/** What of the arguments was not understood. It repeats no argument that is no option: that may be a person's number or name. */
export function argumentProblem(error: unknown): string {
  if (isAboutArguments(error) && error.code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL')
    return 'expected options alone, and found an argument that is none';
  return (error as Error).message;
}
