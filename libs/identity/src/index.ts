export * from './batch.js';
export * from './judge.js';
export * from './observe.js';
