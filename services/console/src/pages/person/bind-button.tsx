import { Button, Form, Input, Modal, Select, Typography } from 'antd';
import { useState } from 'react';
import { useCommand, useOffered } from '../../api/commands.ts';
import { useWords } from '../../shell/preferences.tsx';
import { LimitFields, type Limits, limitsAsSent } from './limit-fields.tsx';

interface Fields extends Limits {
  readonly beneficiary: string;
  readonly relation: string;
}

const PATH = '/v1/bindings';

/** Asks to share this payer's account with a relative; shown where the API takes that. */
export function BindButton({ payer }: { readonly payer: string }) {
  const w = useWords();
  const offered = useOffered('post', PATH);
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<Fields>();
  const send = useCommand();
  if (!offered) return null;
  const close = () => setOpen(false);
  const submit = ({ beneficiary, relation, ...limits }: Fields) => {
    const set = Object.entries(limitsAsSent(limits)).filter(([, value]) => value !== null);
    const body = { payer, beneficiary: beneficiary.trim(), relation, ...Object.fromEntries(set) };
    send.mutate([{ method: 'POST', path: PATH, body }], { onSuccess: close });
  };
  const relations = Object.entries(w.relations).map(([value, label]) => ({ value, label }));
  return (
    <>
      <Button onClick={() => setOpen(true)}>{w.commands.bind}</Button>
      <Modal
        open={open}
        title={w.commands.bindTitle}
        onCancel={close}
        onOk={() => form.submit()}
        confirmLoading={send.isPending}
        okText={w.commands.bind}
        cancelText={w.commands.cancel}
        destroyOnHidden
      >
        <Typography.Paragraph type="secondary">{w.commands.bindHint}</Typography.Paragraph>
        <Form form={form} layout="vertical" onFinish={submit} preserve={false}>
          <Form.Item
            name="beneficiary"
            label={w.commands.beneficiary}
            rules={[{ required: true, whitespace: true, message: w.commands.beneficiary }]}
          >
            <Input autoComplete="off" spellCheck={false} maxLength={200} />
          </Form.Item>
          <Form.Item
            name="relation"
            label={w.commands.relation}
            rules={[{ required: true, message: w.commands.relation }]}
          >
            <Select options={relations} />
          </Form.Item>
          <LimitFields />
        </Form>
      </Modal>
    </>
  );
}
