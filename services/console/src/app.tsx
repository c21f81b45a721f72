import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { App as AntApp, ConfigProvider } from 'antd';
import antdEn from 'antd/locale/en_US';
import antdZh from 'antd/locale/zh_CN';
import { useState } from 'react';
import { Router } from 'wouter';
import { useHashLocation } from 'wouter/use-hash-location';
import { ApiProblem } from './api/client.ts';
import { Frame } from './shell/frame.tsx';
import { Pages } from './shell/pages.tsx';
import { PreferencesProvider, usePreferences } from './shell/preferences.tsx';
import { SignInGate } from './shell/sign-in.tsx';
import { themeOf } from './shell/theme.ts';

const REPEATS_MAX = 2;

/** What was refused would be refused again; what could not be reached may be there a moment later. */
const makeClient = () =>
  new QueryClient({
    defaultOptions: {
      queries: {
        // Whether the service answers is what counts, not whether the computer thinks itself on a network.
        networkMode: 'always',
        staleTime: 5_000,
        retry: (failures, error) => failures < REPEATS_MAX && !(error instanceof ApiProblem && error.status < 500),
      },
      mutations: { networkMode: 'always' },
    },
  });

/** The console. Addresses stand behind `#`, so that no person number reaches a log of the servers on the way. */
export function App() {
  const [client] = useState(makeClient);
  return (
    <QueryClientProvider client={client}>
      <PreferencesProvider>
        <Themed>
          <Router hook={useHashLocation}>
            <Frame>
              <SignInGate>
                <Pages />
              </SignInGate>
            </Frame>
          </Router>
        </Themed>
      </PreferencesProvider>
    </QueryClientProvider>
  );
}

function Themed({ children }: { readonly children: React.ReactNode }) {
  const { lang, appearance } = usePreferences();
  return (
    <ConfigProvider
      locale={lang === 'zh' ? antdZh : antdEn}
      theme={themeOf(appearance)}
      button={{ autoInsertSpace: false }}
    >
      <AntApp>{children}</AntApp>
    </ConfigProvider>
  );
}
