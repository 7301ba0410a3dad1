export * from './resolve.js';
export type * from './types.js';
