package io.millrace.handler.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What a WebP file says of itself, read without decoding. The decoder believes the size in the header of the file when asked for
 * it, and the size in the header of the picture when it reserves memory; a file can hold two different ones.
 */
final class WebpFile {

    private static final int RIFF_HEADER = 12;
    private static final int CHUNK_HEADER = 8;
    private static final int FRAME_HEADER = 16;

    private static final int VP8 = fourCc("VP8 ");
    private static final int VP8L = fourCc("VP8L");
    private static final int ANIMATION_FRAME = fourCc("ANMF");

    private final ByteBuffer bytes;

    WebpFile(byte[] bytes) {
        this.bytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** @return true if the file was meant to be longer */
    boolean isCutShort() {
        return bytes.capacity() < RIFF_HEADER || Integer.toUnsignedLong(bytes.getInt(4)) + 8 > bytes.capacity();
    }

    /** @return the pixels of the largest picture inside; 0 if there is none */
    long mostPixels() {
        return mostPixels(RIFF_HEADER, bytes.capacity());
    }

    private long mostPixels(long start, long end) {
        long most = 0;
        for (long at = start; at + CHUNK_HEADER <= end;) {
            int type = bytes.getInt((int) at);
            long length = Integer.toUnsignedLong(bytes.getInt((int) at + 4));
            long data = at + CHUNK_HEADER;
            long next = data + length + (length & 1);
            if (type == VP8 && data + 10 <= end) {
                most = Math.max(most,
                        (long) (bytes.getShort((int) data + 6) & 0x3fff) * (bytes.getShort((int) data + 8) & 0x3fff));
            } else if (type == VP8L && data + 5 <= end) {
                int sizes = bytes.getInt((int) data + 1);
                most = Math.max(most, (1L + (sizes & 0x3fff)) * (1L + (sizes >> 14 & 0x3fff)));
            } else if (type == ANIMATION_FRAME) {
                most = Math.max(most, mostPixels(data + FRAME_HEADER, Math.min(next, end)));
            }
            at = next;
        }
        return most;
    }

    private static int fourCc(String name) {
        return name.charAt(0) | name.charAt(1) << 8 | name.charAt(2) << 16 | name.charAt(3) << 24;
    }
}
