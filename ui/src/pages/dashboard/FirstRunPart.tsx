/** The guide of who has no task yet, with what this machine has. */
import { useQuery } from '@tanstack/react-query';
import { useMay } from '@/api/queries/access';
import { gpuStatus, hostStatus } from '@/api/queries/dashboard';
import { systemHealth } from '@/api/queries/system';
import { FirstRun } from '@/components/dashboard/FirstRun';
import { useDemo } from './QuickActions';

export function FirstRunPart() {
  const mayOperate = useMay('operator');
  const demo = useDemo();
  const { data: health } = useQuery(systemHealth);
  const { data: gpus } = useQuery(gpuStatus);
  const { data: host } = useQuery(hostStatus);
  return (
    <FirstRun
      available={{
        docker: health && health.docker === 'ok',
        dockerProblem: health && health.docker !== 'ok' ? health.docker : undefined,
        gpus: gpus?.now.map(({ name }) => name),
        cpus: host?.now.cpus,
      }}
      mayOperate={mayOperate}
      onDemo={demo.start}
      isStarting={demo.isPending}
    />
  );
}
