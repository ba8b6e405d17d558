export interface Word {
  text: string;
}

export const shout = ({ text }: Word): string => `${text.toUpperCase()}!`;
