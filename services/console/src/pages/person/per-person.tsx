import { Card, Flex, Statistic, Typography } from 'antd';
import type { UsageRow } from '../../api/types.ts';
import { fenOf, grouped, yuanOf } from '../../parts/fen.ts';
import { personLink } from '../../parts/figure.tsx';
import { useWords } from '../../shell/preferences.tsx';

interface Sum {
  readonly relation: UsageRow['relation'];
  fen: bigint;
  count: number;
}

/** What the rows shown come to for each relative, refunds taken off: what a father's children spent. */
export function PerPerson({
  rows,
  side,
  personNo,
}: {
  rows: readonly UsageRow[];
  side: 'payer' | 'beneficiary';
  personNo: string;
}) {
  const w = useWords();
  const sums = new Map<string, Sum>();
  for (const row of rows) {
    const other = side === 'payer' ? row.beneficiary : row.payer;
    const sum = sums.get(other) ?? { relation: row.relation, fen: 0n, count: 0 };
    sum.fen += fenOf(row.amount) - fenOf(row.refunded);
    sum.count += 1;
    sums.set(other, sum);
  }
  if (sums.size === 0) return null;
  const nameOf = ({ relation }: Sum) =>
    relation === null ? w.sources.OWN : side === 'payer' ? w.relations[relation] : w.payerAs[relation];
  return (
    <Flex gap="small" wrap style={{ marginBottom: 12 }} role="group" aria-label={w.person.perPerson}>
      {[...sums].map(([other, sum]) => (
        <Card key={other} size="small" style={{ minWidth: 200 }}>
          <Statistic
            title={
              <>
                {nameOf(sum)}{' '}
                {other === personNo ? null : <Typography.Link href={personLink(other)}>{other}</Typography.Link>}
              </>
            }
            value={grouped(yuanOf(sum.fen))}
            suffix={<Typography.Text type="secondary">{w.person.pieces(sum.count)}</Typography.Text>}
            styles={{ content: { fontSize: 20 } }}
          />
        </Card>
      ))}
    </Flex>
  );
}
