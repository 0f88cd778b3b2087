import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach, beforeAll, vi } from 'vitest';
import { startTranslations } from '@/lib/i18n';

// A machine that is busy makes no test fail.
vi.setConfig({ testTimeout: 30_000 });
configure({ asyncUtilTimeout: 15_000 });

beforeAll(() => startTranslations('en'));
afterEach(() => cleanup());
