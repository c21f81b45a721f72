import { Button, Flex, Layout, Menu, Segmented, Typography, theme } from 'antd';
import type { ReactNode } from 'react';
import { useLocation } from 'wouter';
import { usePreferences } from './preferences.tsx';
import { SignOut } from './sign-in.tsx';

const PAGES = [
  'find',
  'board',
  'backdated',
  'held',
  'arrears',
  'policies',
  'books',
  'dead-letters',
  'quarantine',
] as const;

const CONTENT = {
  width: '100%',
  maxWidth: 1320,
  boxSizing: 'border-box',
  margin: '0 auto',
  padding: '20px 24px 48px',
} as const;

/** Header, menu and the place of the page. */
export function Frame({ children }: { readonly children: ReactNode }) {
  const { w } = usePreferences();
  const [at, navigate] = useLocation();
  const { token } = theme.useToken();
  const page = PAGES.find((name) => at.startsWith(`/${name}`)) ?? 'find';
  return (
    <Layout style={{ minHeight: '100vh' }}>
      <Button className="skip-link" onClick={() => document.getElementById('main')?.focus()}>
        {w.skip}
      </Button>
      <Layout.Header
        style={{
          background: token.colorBgContainer,
          borderBottom: `1px solid ${token.colorBorderSecondary}`,
          position: 'sticky',
          top: 0,
          zIndex: 10,
        }}
      >
        <Flex align="center" gap="middle" style={{ height: '100%', maxWidth: 1272, margin: '0 auto' }}>
          <Typography.Link href="#/" strong style={{ fontSize: 18, whiteSpace: 'nowrap' }}>
            {w.brand}
          </Typography.Link>
          <Menu
            mode="horizontal"
            style={{ flex: 1, minWidth: 0, borderBottom: 'none', background: 'transparent' }}
            selectedKeys={[page]}
            items={PAGES.map((name) => ({ key: name, label: w.menu[name] }))}
            onClick={({ key }) => navigate(key === 'find' ? '/' : `/${key}`)}
          />
          <Choices />
        </Flex>
      </Layout.Header>
      <Layout.Content id="main" tabIndex={-1} style={CONTENT}>
        {children}
      </Layout.Content>
    </Layout>
  );
}

function Choices() {
  const { w, lang, setLang, appearance, setAppearance } = usePreferences();
  return (
    <Flex gap="small" align="center">
      <SignOut />
      <Segmented
        size="small"
        aria-label={w.language}
        value={lang}
        onChange={setLang}
        options={[
          { value: 'zh', label: '中文' },
          { value: 'en', label: 'EN' },
        ]}
      />
      <Segmented
        size="small"
        aria-label={w.appearance}
        value={appearance}
        onChange={setAppearance}
        options={[
          { value: 'light', label: w.light },
          { value: 'dark', label: w.dark },
        ]}
      />
    </Flex>
  );
}
