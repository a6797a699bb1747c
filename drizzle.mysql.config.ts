import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'mysql',
  schema: ['./gateway/store/mysql/schema.ts', './gateway/eyelearn/schema.ts'],
  out: './migrations/mysql',
});
