/** How fast the pages are: figures to read, printed as they are measured. */
import { defineConfig } from '@playwright/test';
import journeys from '../playwright.config';

export default defineConfig({
  ...journeys,
  testDir: '.',
  testMatch: '*.bench.ts',
  workers: 1,
  timeout: 600_000,
  use: { ...journeys.use, trace: 'off' },
});
