// Prints "bytes sha256 name" of each member: node read.js ARCHIVE

const { createHash } = require("node:crypto");
const yauzl = require("yauzl");

yauzl.open(process.argv[2], { lazyEntries: true }, (error, archive) => {
  if (error) throw error;
  archive.on("error", (fault) => {
    throw fault;
  });
  archive.on("entry", (entry) => {
    archive.openReadStream(entry, (fault, text) => {
      if (fault) throw fault;
      const digest = createHash("sha256");
      let bytes = 0;
      text.on("error", (broken) => {
        throw broken;
      });
      text.on("data", (chunk) => {
        digest.update(chunk);
        bytes += chunk.length;
      });
      text.on("end", () => {
        console.log(`${bytes} ${digest.digest("hex")} ${entry.fileName}`);
        archive.readEntry();
      });
    });
  });
  archive.readEntry();
});
