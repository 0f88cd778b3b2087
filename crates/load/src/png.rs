//! Images that are noise, as `data:` URIs of PNG files.
//!
//! The one idea: a server decodes an image to the same pixels in number, whatever the file held,
//! so one bit for each is enough: black or white, and not compressed, which noise cannot be
//! anyway. So an image of its own for every request stays cheap, and no cache of images helps.

use rand::Rng;

/// An image of this size, in pixels, as an address that holds it.
pub(crate) fn noise(width: u32, height: u32, rng: &mut dyn Rng) -> String {
    let mut uri = "data:image/png;base64,".to_owned();
    base64(&file(width, height, rng), &mut uri);
    uri
}

fn file(width: u32, height: u32, rng: &mut dyn Rng) -> Vec<u8> {
    let line = width.div_ceil(8) as usize;
    // Each line begins with its filter: none.
    let mut lines = vec![0; (line + 1) * height as usize];
    for line in lines.chunks_exact_mut(line + 1) {
        if let Some((_, pixels)) = line.split_first_mut() {
            rng.fill_bytes(pixels);
        }
    }
    let crcs = crc_table();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut head = Vec::with_capacity(13);
    head.extend(width.to_be_bytes());
    head.extend(height.to_be_bytes());
    // One bit a pixel, shades of grey, and the only methods there are.
    head.extend([1, 0, 0, 0, 0]);
    chunk(*b"IHDR", &head, &crcs, &mut file);
    chunk(*b"IDAT", &stored(&lines), &crcs, &mut file);
    chunk(*b"IEND", &[], &crcs, &mut file);
    file
}

/// The bytes as a zlib stream that compresses nothing.
fn stored(bytes: &[u8]) -> Vec<u8> {
    const MOST: usize = 65_535;
    let mut stream = Vec::with_capacity(bytes.len() + bytes.len() / MOST * 5 + 16);
    stream.extend([0x78, 0x01]);
    let blocks = bytes.len().div_ceil(MOST);
    for (index, block) in bytes.chunks(MOST).enumerate() {
        #[expect(clippy::cast_possible_truncation, reason = "a block has 65535 bytes at most")]
        let length = block.len() as u16;
        stream.push(u8::from(index + 1 == blocks));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(adler(bytes).to_be_bytes());
    stream
}

fn chunk(kind: [u8; 4], data: &[u8], crcs: &[u32; 256], file: &mut Vec<u8>) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    file.extend(length.to_be_bytes());
    let begin = file.len();
    file.extend(kind);
    file.extend(data);
    let crc = crc(&file[begin..], crcs);
    file.extend(crc.to_be_bytes());
}

/// The sum at the end of a zlib stream.
fn adler(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    // As many bytes as the sums can take before they must be reduced.
    const AT_ONCE: usize = 5_552;
    let (mut a, mut b) = (1_u32, 0_u32);
    for part in bytes.chunks(AT_ONCE) {
        for byte in part {
            a += u32::from(*byte);
            b += a;
        }
        a %= MODULUS;
        b %= MODULUS;
    }
    (b << 16) | a
}

fn crc(bytes: &[u8], crcs: &[u32; 256]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let [low, ..] = crc.to_le_bytes();
        crcs[usize::from(low ^ byte)] ^ (crc >> 8)
    };
    !bytes.iter().fold(u32::MAX, step)
}

fn crc_table() -> [u32; 256] {
    std::array::from_fn(|index| {
        let start = u32::try_from(index).unwrap_or_default();
        (0..8).fold(start, |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

fn base64(bytes: &[u8], text: &mut String) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    text.reserve(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |index: usize| u32::from(three.get(index).copied().unwrap_or_default());
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4_usize {
            let letter = LETTERS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place > three.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn sums_are_those_of_the_standards() {
        assert_eq!(adler(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(adler(&vec![0xff; 100_000]), {
            let (mut a, mut b) = (1_u64, 0_u64);
            for _ in 0..100_000 {
                a = (a + 255) % 65_521;
                b = (b + a) % 65_521;
            }
            u32::try_from((b << 16) | a).unwrap()
        });
        assert_eq!(crc(b"123456789", &crc_table()), 0xcbf4_3926);
        assert_eq!(crc(b"IEND", &crc_table()), 0xae42_6082);
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            let mut found = String::new();
            base64(bytes.as_bytes(), &mut found);
            assert_eq!(found, text);
        }
    }

    #[test]
    fn a_file_has_its_size_and_every_pixel() {
        for (width, height) in [(1, 1), (9, 3), (700, 900)] {
            let file = file(width, height, &mut ChaCha8Rng::seed_from_u64(1));
            let mut rest = &file[8..];
            let mut data = Vec::new();
            while let Some((length, after)) = rest.split_first_chunk::<4>() {
                let length = u32::from_be_bytes(*length) as usize;
                let (named, after) = after.split_at(4 + length);
                let (sum, after) = after.split_first_chunk::<4>().unwrap();
                assert_eq!(u32::from_be_bytes(*sum), crc(named, &crc_table()));
                match &named[..4] {
                    b"IHDR" => {
                        assert_eq!(named[4..8], width.to_be_bytes());
                        assert_eq!(named[8..12], height.to_be_bytes());
                    }
                    b"IDAT" => data.extend(&named[4..]),
                    kind => assert_eq!(kind, b"IEND"),
                }
                rest = after;
            }
            let mut lines: Vec<u8> = Vec::new();
            let mut stream = &data[2..data.len() - 4];
            while let Some((head, after)) = stream.split_first_chunk::<5>() {
                let length = usize::from(u16::from_le_bytes([head[1], head[2]]));
                assert_eq!(head[1], !head[3]);
                assert_eq!(
                    head[0] == 1,
                    after.len() == length,
                    "the last block, and only it, says so"
                );
                lines.extend(&after[..length]);
                stream = &after[length..];
            }
            let line = width.div_ceil(8) as usize + 1;
            assert_eq!(lines.len(), line * height as usize);
            assert!(lines.iter().step_by(line).all(|filter| *filter == 0));
        }
    }

    #[test]
    fn images_follow_from_the_seed() {
        let image = |seed| noise(40, 30, &mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(image(1), image(1));
        assert_ne!(image(1), image(2));
        assert!(image(1).starts_with("data:image/png;base64,iVBORw0KGgo"));
    }
}
