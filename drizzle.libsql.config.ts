import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'sqlite',
  schema: './gateway/store/libsql/schema.ts',
  out: './migrations/libsql',
});
