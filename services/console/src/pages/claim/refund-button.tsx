import { Button, Form, Input, Modal } from 'antd';
import { useState } from 'react';
import { useCommand, useOffered } from '../../api/commands.ts';
import type { Standing } from '../../api/types.ts';
import { grouped } from '../../parts/fen.ts';
import { useWords } from '../../shell/preferences.tsx';

/** Asks for a refund of what is left, or of a part; shown where the API takes it and something is left. */
export function RefundButton({ standing }: { readonly standing: Standing }) {
  const w = useWords();
  const offered = useOffered('post', '/v1/settlements/{claim_id}/refunds');
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<{ amount?: string }>();
  const send = useCommand();
  if (!offered || standing.refundable === '0.00') return null;
  const claimId = 'claim_id' in standing ? standing.claim_id : standing.premium_id;
  const submit = ({ amount }: { amount?: string }) =>
    send.mutate(
      [
        {
          method: 'POST',
          path: `/v1/settlements/${encodeURIComponent(claimId)}/refunds`,
          body: amount ? { amount } : {},
        },
      ],
      { onSuccess: () => setOpen(false) },
    );
  return (
    <>
      <Button onClick={() => setOpen(true)}>{w.claim.refund}</Button>
      <Modal
        open={open}
        title={w.claim.refund}
        onCancel={() => setOpen(false)}
        onOk={() => form.submit()}
        confirmLoading={send.isPending}
        okText={w.claim.refund}
        cancelText={w.commands.cancel}
      >
        <Form form={form} layout="vertical" onFinish={submit}>
          <Form.Item
            name="amount"
            label={w.claim.refundPart}
            extra={`${w.claim.refundAll}: ${grouped(standing.refundable)}`}
            rules={[{ pattern: /^\d{1,14}(\.\d{1,2})?$/, message: w.commands.amountForm }]}
          >
            <Input inputMode="decimal" placeholder={standing.refundable} />
          </Form.Item>
        </Form>
      </Modal>
    </>
  );
}
