/// <reference types="vitest/config" />
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/**
 * The service forbids inline styles. sonner would put its own into the page when it is loaded; its
 * stylesheet is imported like every other instead, and what would inject it is taken out.
 */
function noInjectedStyles(): Plugin {
  return {
    name: 'no-injected-styles',
    transform(code, id) {
      if (!id.includes('/sonner/dist/index.mjs')) return null;
      const without = code.replace(/^\s*__insertCSS\(".*"\);?\s*$/m, '');
      if (without === code) this.error('sonner injects its styles in a new way: look at no-injected-styles');
      return { code: without, map: null };
    },
  };
}

const service = process.env.AUTOTUNER_URL ?? 'http://127.0.0.1:8000';

/** The service takes changes from its own pages only, so what is developed here is passed on as one of them. */
const asOwn = { target: service, changeOrigin: true, headers: { origin: service } };

export default defineConfig({
  base: '/',
  plugins: [react(), tailwindcss(), noInjectedStyles()],
  resolve: { alias: { '@': new URL('./src', import.meta.url).pathname } },
  server: { host: '127.0.0.1', proxy: { '/api': asOwn, '/docs': asOwn } },
  build: {
    target: 'es2023',
    sourcemap: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: 'happy-dom',
    setupFiles: ['src/test/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    restoreMocks: true,
    // Looking for things by their role takes its time on a busy machine.
    testTimeout: 30_000,
  },
});
