// Unpacks the browser and the libraries that it may lack from the package into a folder: node knows Brotli.
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const [bin, into] = process.argv.slice(2);
const unpack = (name, target, mode) =>
  pipeline(createReadStream(join(bin, name)), createBrotliDecompress(), createWriteStream(join(into, target), { mode }));

await Promise.all([unpack("chromium.br", "chromium.part", 0o755), unpack("al2023.tar.br", "libraries.tar", 0o644)]);
