import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Flex, Form, Input, Modal, Progress, Select, Typography } from 'antd';
import { type ReactNode, useRef, useState } from 'react';
import { command } from '../../api/client.ts';
import { quarantineOrder } from '../../api/queries.ts';
import type { QuarantineOrder } from '../../api/types.ts';
import { ProblemAlert } from '../../parts/problem.tsx';
import { Loading } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';

interface Fields {
  readonly reason?: string;
  readonly code?: string;
}

/** Releases what is held of a key, after saying what that will do. */
export function ReleaseButton({ place, messages }: { readonly place: string; readonly messages: number }) {
  const { repair: w } = useWords();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)} aria-label={`${w.release} ${place}`}>
        {w.release}
      </Button>
      {open ? (
        <OrderDialog place={place} action="release" total={messages} close={() => setOpen(false)}>
          <Typography.Paragraph>{w.releaseFails}</Typography.Paragraph>
        </OrderDialog>
      ) : null}
    </>
  );
}

/** Gives up one held message, after saying what that will do. */
export function DropButton({ place }: { readonly place: string }) {
  const { repair: w } = useWords();
  const [open, setOpen] = useState(false);
  const codes = ['EVENT_UNREADABLE', 'EVENT_MALFORMED', ...(place.startsWith('claims/') ? ['CLAIM_MALFORMED'] : [])];
  return (
    <>
      <Button size="small" danger onClick={() => setOpen(true)} aria-label={`${w.drop} ${place}`}>
        {w.drop}
      </Button>
      {open ? (
        <OrderDialog place={place} action="drop" total={1} close={() => setOpen(false)}>
          <Alert type="warning" showIcon title={w.dropWill} style={{ marginBottom: 12 }} />
          <Form.Item name="code" label={w.dropCode} extra={codes.length === 3 ? w.dropTells : null}>
            <Select options={codes.map((value) => ({ value, label: value }))} />
          </Form.Item>
        </OrderDialog>
      ) : null}
    </>
  );
}

/** What is ordered about held messages: what it will do, the reason, and how far it has come. */
function OrderDialog({
  place,
  action,
  total,
  close,
  children,
}: {
  readonly place: string;
  readonly action: 'release' | 'drop';
  readonly total: number;
  readonly close: () => void;
  readonly children: ReactNode;
}) {
  const { repair: w } = useWords();
  const client = useQueryClient();
  const [form] = Form.useForm<Fields>();
  const keys = useRef(new Map<string, string>());
  const path = `/v1/quarantine/${encodeURIComponent(place)}/${action}`;
  const order = (body: object) => {
    const content = JSON.stringify(body);
    const key = keys.current.get(content) ?? crypto.randomUUID();
    keys.current.set(content, key);
    return command<QuarantineOrder>('POST', path, body, key);
  };
  const plan = useQuery({
    queryKey: [path, 'plan'],
    queryFn: async () => (await order({ reason: '-', dry_run: true })).answer,
    gcTime: 0,
  });
  const send = useMutation({ mutationFn: async (fields: Fields) => (await order(asSent(fields))).answer });
  const placed = send.data;
  const now = useQuery({
    ...quarantineOrder(placed?.order_id ?? ''),
    enabled: placed?.order_id != null && placed.result === null,
    refetchInterval: ({ state: { data } }) => (data?.result == null ? 1_000 : false),
  });
  const state = now.data ?? placed;
  // Read anew only then: the row that this dialog stands in may be gone.
  const end = () => {
    close();
    if (state !== undefined) void client.invalidateQueries();
  };
  const error = plan.error ?? send.error;
  const isDrop = action === 'drop';
  return (
    <Modal
      open
      title={isDrop ? w.dropTitle : w.releaseTitle}
      onCancel={end}
      okText={state === undefined ? w[action] : w.close}
      onOk={() => (state === undefined ? form.submit() : end())}
      okButtonProps={{ danger: isDrop && state === undefined, loading: send.isPending, disabled: !plan.data }}
      cancelText={w.cancel}
      cancelButtonProps={state === undefined ? {} : { style: { display: 'none' } }}
    >
      <Typography.Paragraph strong>{place}</Typography.Paragraph>
      {state === undefined ? (
        <Form form={form} layout="vertical" onFinish={send.mutate} initialValues={{ code: 'EVENT_UNREADABLE' }}>
          {plan.data === undefined && error === null ? <Loading /> : null}
          {isDrop || plan.data === undefined ? null : (
            <Typography.Paragraph>{w.releaseWill(plan.data.messages)}</Typography.Paragraph>
          )}
          {children}
          <Form.Item
            name="reason"
            label={w.reason}
            rules={isDrop ? [{ required: true, whitespace: true, message: w.reasonNeeded }] : []}
          >
            <Input maxLength={200} autoComplete="off" />
          </Form.Item>
        </Form>
      ) : (
        <Came state={state} total={total} />
      )}
      {error === null ? null : <ProblemAlert error={error} />}
    </Modal>
  );
}

/** A reason that was left out is none. */
const asSent = ({ reason = '', code }: Fields): object => ({
  ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
  ...(code === undefined ? {} : { code }),
});

function Came({ state: { messages, result }, total }: { readonly state: QuarantineOrder; readonly total: number }) {
  const { repair: w } = useWords();
  const told = result === null ? w.orderOpen(messages, total) : w.orderResults[result](messages);
  return (
    <Flex vertical gap="small">
      {result === null ? (
        <Progress percent={Math.round((messages * 100) / Math.max(1, total))} status="active" aria-label={told} />
      ) : null}
      <Alert
        role="status"
        showIcon
        type={result === 'DONE' ? 'success' : result === null ? 'info' : 'warning'}
        title={told}
      />
    </Flex>
  );
}
