import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { antdStyles } from './antd-styles.ts';

/** The console stands under `/console/` of query-api; while it is being worked on, its requests go to the system of `npm start`. */
export default defineConfig({
  base: './',
  plugins: [react(), antdStyles()],
  build: {
    // What offices still run: Chromium of Windows 7's last days.
    target: ['chrome109', 'firefox115', 'safari16'],
    assetsDir: 'assets',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_000,
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/v1': 'http://127.0.0.1:8080',
      '/openapi.json': 'http://127.0.0.1:8080',
      '/console': 'http://127.0.0.1:8080',
    },
  },
});
