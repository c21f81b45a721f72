import type { ThemeConfig } from 'antd';
import { theme } from 'antd';
import type { Appearance } from './preferences.tsx';

/** The colours of who pays, the same in every picture: told apart also by those who see no red or green. */
export const PAYING = {
  light: { own: '#0f766e', relative: '#2563eb', cash: '#b45309', fund: '#94a3b8', muted: '#cbd5e1', text: '#1f2937' },
  dark: { own: '#2dd4bf', relative: '#60a5fa', cash: '#fbbf24', fund: '#64748b', muted: '#475569', text: '#e5e7eb' },
} as const satisfies Record<Appearance, Record<string, string>>;

const FONTS = `system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'WenQuanYi Zen Hei', sans-serif`;

const INK = '#0b1416';
/** Green and orange a shade darker, so that tags can be read; each stands under two names, of which the second is the one that is drawn. */
const TAG_LETTERS = { green7: '#237804', 'green-7': '#237804', orange7: '#ad4e00', 'orange-7': '#ad4e00' };

export const themeOf = (appearance: Appearance): ThemeConfig => ({
  // Its styles are files (`antd-styles.ts`); what follows is set as variables.
  zeroRuntime: true,
  algorithm: appearance === 'dark' ? theme.darkAlgorithm : theme.defaultAlgorithm,
  token: {
    colorPrimary: appearance === 'dark' ? '#14b8a6' : '#0f766e',
    colorLink: appearance === 'dark' ? '#2dd4bf' : '#0f766e',
    borderRadius: 8,
    fontFamily: FONTS,
    fontSize: 15,
    // Quieter on a slow computer; nothing here needs motion to be understood.
    motion: false,
    // Grey enough to be read: 4.5 to 1 on either ground.
    colorTextDescription: appearance === 'dark' ? 'rgba(255,255,255,0.68)' : 'rgba(0,0,0,0.62)',
    colorTextTertiary: appearance === 'dark' ? 'rgba(255,255,255,0.68)' : 'rgba(0,0,0,0.62)',
    colorTextSecondary: appearance === 'dark' ? 'rgba(255,255,255,0.72)' : 'rgba(0,0,0,0.66)',
    // Neither glaring nor black: cards stand out from their ground by themselves.
    ...(appearance === 'light'
      ? { colorBgLayout: '#f4f6f8', colorError: '#cf1322', ...TAG_LETTERS }
      : { colorBgLayout: '#0d1117', colorBgContainer: '#161b22', colorBgElevated: '#1c232c' }),
  },
  components: {
    Layout: { headerPadding: '0 24px', headerHeight: 56 },
    Statistic: { contentFontSize: 24 },
    // On the bright ground that stands out from a dark page, dark letters.
    ...(appearance === 'dark' ? { Button: { primaryColor: INK }, DatePicker: { colorTextLightSolid: INK } } : {}),
  },
});
