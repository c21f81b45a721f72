/** A line that overwrites itself; undefined where the stream is no terminal. */
export function progressLine(terminal: NodeJS.WriteStream) {
  if (!terminal.isTTY) return undefined;
  let shown = '';
  return {
    show: (line: string): void => {
      if (line !== shown) terminal.write(`\r\x1b[2K${line}`);
      shown = line;
    },
    clear: (): void => void terminal.write('\r\x1b[2K'),
  };
}

/** A line that shows which share of something is done. */
export function progressBar(terminal: NodeJS.WriteStream) {
  const bar = progressLine(terminal);
  if (bar === undefined) return undefined;
  return {
    clear: bar.clear,
    show: (share: number, doing: string): void => {
      const width = Math.max(10, Math.min(40, (terminal.columns ?? 80) - 30));
      const full = Math.round(share * width);
      bar.show(
        `${'█'.repeat(full)}${'░'.repeat(width - full)} ${String(Math.floor(share * 100)).padStart(3)} %  ${doing}`,
      );
    },
  };
}
