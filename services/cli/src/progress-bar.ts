/** A line that is drawn over itself; nothing where nobody looks at a terminal. */
export function progressBar(terminal: NodeJS.WriteStream) {
  if (!terminal.isTTY) return undefined;
  let shown = '';
  return {
    show: (share: number, doing: string): void => {
      const width = Math.max(10, Math.min(40, (terminal.columns ?? 80) - 30));
      const full = Math.round(share * width);
      const line = `${'█'.repeat(full)}${'░'.repeat(width - full)} ${String(Math.floor(share * 100)).padStart(3)} %  ${doing}`;
      if (line !== shown) terminal.write(`\r\x1b[2K${line}`);
      shown = line;
    },
    clear: (): void => void terminal.write('\r\x1b[2K'),
  };
}
