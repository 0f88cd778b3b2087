import '@testing-library/jest-dom/vitest';
import { cleanup } from '@testing-library/react';
import { afterEach, beforeAll } from 'vitest';
import { startTranslations } from '@/lib/i18n';

beforeAll(() => startTranslations('en'));
afterEach(() => cleanup());
