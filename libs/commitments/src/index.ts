export * from './committed-form.js';
export * from './signature.js';
