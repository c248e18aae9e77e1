// A ZIP file of files that are compressed already: they are stored as they are.
(() => {
  "use strict";

  const TABLE = Uint32Array.from({ length: 256 }, (_, number) => {
    for (let bit = 0; bit < 8; bit += 1) number = number & 1 ? 0xedb88320 ^ (number >>> 1) : number >>> 1;
    return number;
  });

  function checksum(bytes) {
    let value = 0xffffffff;
    for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
    return (value ^ 0xffffffff) >>> 0;
  }

  // A record: a signature, then [value, bytes] of each field, little-endian.
  function record(signature, fields) {
    const view = new DataView(new ArrayBuffer(fields.reduce((size, [, bytes]) => size + bytes, 4)));
    view.setUint32(0, signature, true);
    let place = 4;
    for (const [value, bytes] of fields) {
      if (bytes === 2) view.setUint16(place, value, true);
      else view.setUint32(place, value, true);
      place += bytes;
    }
    return view.buffer;
  }

  // files: name and content (a Blob) of each; names are distinct.
  window.zipFiles = async (files) => {
    const parts = [];
    const entries = [];
    let place = 0;
    const add = (part) => {
      parts.push(part);
      place += part.byteLength ?? part.size;
    };
    for (const { name, content } of files) {
      const called = new TextEncoder().encode(name);
      const sum = checksum(new Uint8Array(await content.arrayBuffer()));
      // Version 2.0, names in UTF-8, stored, 1980-01-01; checksum and sizes.
      const about = [
        [20, 2], [0x0800, 2], [0, 2], [0, 2], [0x0021, 2],
        [sum, 4], [content.size, 4], [content.size, 4], [called.length, 2], [0, 2],
      ];
      entries.push([about, called, place]);
      add(record(0x04034b50, about));
      add(called);
      add(content);
    }
    const start = place;
    for (const [about, called, at] of entries) {
      add(record(0x02014b50, [[20, 2], ...about, [0, 2], [0, 2], [0, 2], [0, 4], [at, 4]]));
      add(called);
    }
    const size = place - start;
    const count = entries.length;
    add(record(0x06054b50, [[0, 2], [0, 2], [count, 2], [count, 2], [size, 4], [start, 4], [0, 2]]));
    return new Blob(parts, { type: "application/zip" });
  };
})();
