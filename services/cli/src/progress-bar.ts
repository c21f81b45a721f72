/** A line that is drawn over itself; nothing where nobody looks at a terminal. */
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

/** How much of something is done, as such a line. */
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
