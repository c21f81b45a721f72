import { Flex, Typography } from 'antd';
import type { ReactNode } from 'react';

/** A page that is a list: what it is, what it is for, and its rows. */
export const ListPage = ({ title, hint, children }: { title: string; hint: string; children: ReactNode }) => (
  <Flex vertical gap="middle">
    <div>
      <Typography.Title level={1} style={{ fontSize: 24, margin: 0 }}>
        {title}
      </Typography.Title>
      <Typography.Text type="secondary">{hint}</Typography.Text>
    </div>
    {children}
  </Flex>
);
