export const type = 'forgot the default export';
