export * from './judge.js';
export * from './observe.js';
