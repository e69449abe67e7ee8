package io.millrace.handler.image;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.function.BooleanSupplier;

import javax.imageio.stream.ImageInputStreamImpl;

/**
 * The bytes of an image as a decoder reads them. Decoders cannot be interrupted, but all of them come back here for more bytes:
 * that is where they are stopped.
 */
final class StoppableImageStream extends ImageInputStreamImpl {

    private final byte[] bytes;
    private final BooleanSupplier stop;
    private boolean stopped;
    private boolean ranOut;

    /** @param stop asked at every read; true ends the decoding */
    StoppableImageStream(byte[] bytes, BooleanSupplier stop) {
        this.bytes = bytes;
        this.stop = stop;
    }

    /** @return true if the decoder was stopped, whatever it made of the exception */
    boolean wasStopped() {
        return stopped;
    }

    /** @return true if the decoder wanted more bytes than there are, whatever it made of their absence */
    boolean hasRunOut() {
        return ranOut;
    }

    @Override
    public int read() throws IOException {
        beforeRead();
        return isAtEnd() ? -1 : bytes[(int) streamPos++] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        beforeRead();
        if (length == 0) {
            return 0;
        }
        if (isAtEnd()) {
            return -1;
        }
        int count = (int) Math.min(length, bytes.length - streamPos);
        System.arraycopy(bytes, (int) streamPos, into, offset, count);
        streamPos += count;
        return count;
    }

    @Override
    public long length() {
        return bytes.length;
    }

    private void beforeRead() throws IOException {
        checkClosed();
        bitOffset = 0;
        if (stopped || stop.getAsBoolean()) {
            stopped = true;
            throw new InterruptedIOException("stopped");
        }
    }

    private boolean isAtEnd() {
        boolean atEnd = streamPos >= bytes.length;
        ranOut |= atEnd;
        return atEnd;
    }
}
