// sharp as a peer: for each line `FORMAT WIDTHS SOURCE DEST`, the CPU milliseconds it took and the result of the first width;
// `-` for a source that it does not read.
const fs = require('fs');
const readline = require('readline');
const sharp = require('sharp');

sharp.concurrency(1);
sharp.cache(false);

const save = {
  jpeg: (picture) => picture.jpeg({ quality: 80 }),
  png: (picture) => picture.png(),
  webp: (picture) => picture.webp({ quality: 80 }),
  avif: (picture) => picture.avif({ quality: 80 }),
};

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [format, widths, path, dest] = line.split(' ');
    const source = fs.readFileSync(path);
    const before = process.cpuUsage();
    // Several results come of one decoding, as sharp's documentation proposes.
    const whole = sharp(source).rotate();
    const pictures = widths.split(',').map((width) => save[format](whole.clone().resize(Number(width))).toBuffer());
    let results;
    try {
      results = await Promise.all(pictures);
    } catch {
      console.log('-');
      continue;
    }
    const { user, system } = process.cpuUsage(before);
    fs.writeFileSync(dest, results[0]);
    console.log(((user + system) / 1000).toFixed(2));
  }
})();
