import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { Chart } from './Chart';

const TABLE = { columns: ['No.', 'Throughput'], rows: [[1, '2,000 tok/s'] as const, [2, null] as const] };

describe('a chart', () => {
  it('has a name, and can be read as a table', async () => {
    render(<Chart option={{}} label="Throughput of every experiment" table={TABLE} />);
    expect(screen.getByRole('img', { name: 'Throughput of every experiment' })).toBeInTheDocument();
    await userEvent.click(screen.getByRole('button', { name: 'Show as table' }));
    expect(screen.getByRole('table', { name: 'Throughput of every experiment' })).toHaveTextContent(
      'No.Throughput12,000 tok/s2–',
    );
    expect(screen.getByRole('columnheader', { name: 'Throughput' })).toHaveAttribute('scope', 'col');
    await userEvent.click(screen.getByRole('button', { name: 'Show as chart' }));
    expect(screen.getByRole('img')).toBeInTheDocument();
  });

  it('offers no table while it loads, or where there is none', () => {
    render(<Chart option={{}} label="a" isLoading table={TABLE} />);
    expect(screen.queryByRole('button')).toBeNull();
    expect(screen.queryByRole('img')).toBeNull();
  });
});
