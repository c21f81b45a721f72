import { Descriptions, Flex, Tag, Typography } from 'antd';
import type { ClaimStanding, PremiumStanding } from '../../api/types.ts';
import { personLink, timeOf, Yuan } from '../../parts/figure.tsx';
import { useWords } from '../../shell/preferences.tsx';
import { RefundButton } from './refund-button.tsx';

const Person = ({ personNo }: { readonly personNo: string }) => (
  <Typography.Link href={personLink(personNo)}>{personNo}</Typography.Link>
);

export function StatusTag({ status }: { readonly status: string }) {
  const w = useWords();
  const color = status === 'SETTLED' ? 'green' : status === 'REFUNDED' ? 'blue' : 'red';
  return <Tag color={color}>{w.statuses[status] ?? status}</Tag>;
}

function Title({
  text,
  status,
  standing,
}: {
  text: string;
  status: string;
  standing: ClaimStanding | PremiumStanding;
}) {
  return (
    <Flex justify="space-between" align="center" wrap gap="small">
      <Flex align="center" gap="small" wrap>
        <Typography.Title level={1} style={{ fontSize: 24, margin: 0 }}>
          {text}
        </Typography.Title>
        <StatusTag status={status} />
      </Flex>
      <RefundButton standing={standing} />
    </Flex>
  );
}

/** A visit type by its code and the name of the longest code listed that it begins with. */
function VisitType({ code }: { readonly code: string }) {
  const w = useWords();
  const known = Array.from(code, (_, cut) => code.slice(0, code.length - cut)).find((prefix) => prefix in w.visitTypes);
  return known === undefined ? code : `${code} ${w.visitTypes[known]}`;
}

export function ClaimHeading({ claim }: { readonly claim: ClaimStanding }) {
  const w = useWords();
  const items = [
    { label: w.claim.patient, children: <Person personNo={claim.psn_no} /> },
    { label: w.claim.time, children: timeOf(claim.setl_time) },
    { label: w.claim.type, children: <VisitType code={claim.med_type} /> },
    { label: w.claim.institution, children: claim.fixmedins_code },
    { label: w.claim.visit, children: claim.mdtrt_id },
    { label: w.claim.settlementId, children: claim.setl_id },
  ];
  return (
    <Flex vertical gap="small">
      <Title text={w.claim.title(claim.claim_id)} status={claim.status} standing={claim} />
      <Descriptions size="small" column={{ xs: 1, sm: 2, md: 3 }} items={items} />
    </Flex>
  );
}

export function PremiumHeading({ premium }: { readonly premium: PremiumStanding }) {
  const w = useWords();
  const items = [
    { label: w.claim.payer, children: <Person personNo={premium.payer} /> },
    { label: w.claim.beneficiary, children: <Person personNo={premium.beneficiary} /> },
    { label: w.claim.year, children: premium.year },
    { label: w.claim.amount, children: <Yuan amount={premium.amount} /> },
    { label: w.claim.time, children: timeOf(premium.at) },
  ];
  return (
    <Flex vertical gap="small">
      <Title text={w.claim.premiumTitle(premium.premium_id)} status={premium.status} standing={premium} />
      <Descriptions size="small" column={{ xs: 1, sm: 2, md: 3 }} items={items} />
    </Flex>
  );
}
