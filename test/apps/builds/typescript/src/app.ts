import ms from 'ms';
import { shout, type Word } from './words';

enum Size { Small = 1, Large }

export const handler = async (event: { rawPath: string }): Promise<Record<string, unknown>> => {
  const words: Word[] = [{ text: 'typed' }];
  return { words: words.map(shout), size: Size[Size.Large], day: ms('1d'), path: event.rawPath };
};
