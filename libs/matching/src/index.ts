export * from './match-index.js';
export * from './migrations.js';
export { letGo, settle } from './settle.js';
