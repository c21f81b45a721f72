import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { IMAGES } from '../src/images.ts';

const fileOf = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

test('the compose file runs the same servers as we do', () => {
  const images = [...fileOf('deploy/compose.yaml').matchAll(/^ {4}image: (.+)$/gm)].map(([, image]) => image);
  expect(images).toEqual([IMAGES.postgres, IMAGES.kafka]);
});

test('the image of the services runs the same Node as we do', () => {
  const [, version] = /^ARG NODE_VERSION=(.+)$/m.exec(fileOf('deploy/Dockerfile')) ?? [];
  expect(version).toBe(fileOf('.node-version').trim());
});
