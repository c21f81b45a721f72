import { Card, Flex, Progress, Tooltip, Typography } from 'antd';
import type { Totals } from '../../api/types.ts';
import { usePreferences } from '../../shell/preferences.tsx';
import { PAYING } from '../../shell/theme.ts';

const SHOWN_MAX = 8;

/** Codes by how often they came, each with its sentence. */
export function CodeCounts({
  title,
  counts,
  sentences,
}: {
  readonly title: string;
  readonly counts: Totals['skipped'];
  readonly sentences: ReadonlyMap<string, string>;
}) {
  const { w, appearance } = usePreferences();
  const most = counts[0]?.count ?? 1;
  return (
    <Card title={title}>
      {counts.length === 0 ? <Typography.Text type="secondary">{w.none}</Typography.Text> : null}
      <Flex vertical gap="small" component="ul" style={{ margin: 0, padding: 0, listStyle: 'none' }}>
        {counts.slice(0, SHOWN_MAX).map(({ code, count }) => (
          <li key={code}>
            <Flex justify="space-between" gap="middle" align="baseline">
              <Tooltip title={code}>
                <Typography.Text>{sentences.get(code) ?? code}</Typography.Text>
              </Tooltip>
              <Typography.Text strong className="figure">
                {count}
              </Typography.Text>
            </Flex>
            <Progress
              percent={(count * 100) / most}
              showInfo={false}
              size="small"
              strokeColor={PAYING[appearance].relative}
              aria-label={`${code} ${count}`}
            />
          </li>
        ))}
      </Flex>
    </Card>
  );
}
