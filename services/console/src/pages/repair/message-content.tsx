import { Descriptions } from 'antd';
import type { DeadLetter } from '../../api/types.ts';
import { laidOutJson } from '../../parts/json-text.ts';
import { useWords } from '../../shell/preferences.tsx';

type Content = Pick<DeadLetter, 'key' | 'headers' | 'value' | 'unopened'>;
type Bytes = NonNullable<Content['value']>;

const textOf = (bytes: Bytes | null | undefined): string =>
  bytes == null ? '–' : typeof bytes === 'string' ? bytes : `base64 ${bytes.base64}`;

/** JSON with a line for each field; anything else as it came. */
function laidOut(bytes: Bytes | null | undefined): string {
  const text = textOf(bytes);
  return laidOutJson(text) ?? text;
}

/** What a message holds: personal data, shown to who asked for it. */
export function MessageContent({ message: { key, headers = [], value, unopened } }: { readonly message: Content }) {
  const { repair: w } = useWords();
  const items = [
    { label: w.key, children: textOf(key) },
    {
      label: w.headers,
      children: headers.map(([name, text]) => (
        <div key={textOf(name)}>
          {textOf(name)}: {textOf(text)}
        </div>
      )),
    },
    {
      label: w.value,
      children: unopened === undefined ? <pre className="message">{laidOut(value)}</pre> : w.unopened,
    },
  ];
  return <Descriptions size="small" column={1} bordered items={items} />;
}
