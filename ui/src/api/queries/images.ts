/** Images of the Docker daemon. */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { ApiError, api, bodyOf, type Schemas } from '../client';
import { keys } from '../keys';
import { readEvents } from '../sse';
import { lookAgain } from './containers';

export type Image = Schemas['ImageView'];

export const imageList = queryOptions({
  queryKey: keys.docker('images'),
  refetchInterval: lookAgain,
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/docker/images', { signal })),
});

export function useRemoveImage() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (query: { reference: string; force: boolean }) =>
      bodyOf(await api.DELETE('/api/docker/images', { params: { query } })),
    onSettled: () => client.invalidateQueries({ queryKey: ['docker'] }),
  });
}

/** How far a fetch is. */
export interface PullProgress {
  layers_done: number;
  layers: number;
  bytes_done: number;
  bytes: number;
}

/** Has an image fetched; aborting gives it up. Gives the image. */
export async function pullImage(
  reference: string,
  signal: AbortSignal,
  onProgress: (progress: PullProgress) => void,
): Promise<Image | null> {
  let image: Image | null | undefined;
  let failure: ApiError | undefined;
  await readEvents('api/docker/images/pull', { method: 'POST', body: { reference }, signal }, ({ data }) => {
    const told = JSON.parse(data) as {
      status: string;
      detail?: string;
      code?: string;
      image?: Image;
    } & PullProgress;
    if (told.status === 'fetching') onProgress(told);
    else if (told.status === 'done') image = told.image ?? null;
    else if (told.status === 'failed') failure = new ApiError(500, told.code ?? 'unknown', told.detail ?? '');
  });
  if (failure) throw failure;
  if (image === undefined)
    throw new ApiError(0, 'unreachable', 'The connection ended before the image was here');
  return image;
}
