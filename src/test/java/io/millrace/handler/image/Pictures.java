package io.millrace.handler.image;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;

/** Images for tests: well-made ones and others. */
final class Pictures {

    private Pictures() {}

    static byte[] jpeg(int width, int height) {
        return encoded(drawing(width, height, BufferedImage.TYPE_INT_RGB), "jpg");
    }

    static byte[] png(int width, int height) {
        return encoded(drawing(width, height, BufferedImage.TYPE_INT_RGB), "png");
    }

    /** Half of it transparent. */
    static byte[] transparentPng(int width, int height) {
        return encoded(drawing(width, height, BufferedImage.TYPE_INT_ARGB), "png");
    }

    /** An alpha channel that nothing makes use of. */
    static byte[] opaquePngWithAlpha(int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
        fill(image, 0, width);
        return encoded(image, "png");
    }

    static byte[] gif(int width, int height) {
        return encoded(drawing(width, height, BufferedImage.TYPE_INT_RGB), "gif");
    }

    static byte[] animatedGif(int frames) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageWriter writer = ImageIO.getImageWritersByFormatName("gif").next();
        try (ImageOutputStream stream = ImageIO.createImageOutputStream(bytes)) {
            writer.setOutput(stream);
            writer.prepareWriteSequence(null);
            for (int i = 0; i < frames; i++) {
                writer.writeToSequence(new IIOImage(drawing(20, 10, BufferedImage.TYPE_INT_RGB), null, null), null);
            }
            writer.endWriteSequence();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** A PNG that claims to be of that size and ends after its header. */
    static byte[] pngHeader(int width, int height) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.write(new byte[]{(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
            ByteArrayOutputStream header = new ByteArrayOutputStream();
            try (DataOutputStream chunk = new DataOutputStream(header)) {
                chunk.write("IHDR".getBytes(StandardCharsets.US_ASCII));
                chunk.writeInt(width);
                chunk.writeInt(height);
                chunk.write(new byte[]{8, 6, 0, 0, 0});
            }
            CRC32 crc = new CRC32();
            crc.update(header.toByteArray());
            out.writeInt(13);
            out.write(header.toByteArray());
            out.writeInt((int) crc.getValue());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** @param name of a file in src/test/resources/images */
    static byte[] sample(String name) {
        try (InputStream in = Pictures.class.getResourceAsStream("/images/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static BufferedImage drawing(int width, int height, int type) {
        BufferedImage image = new BufferedImage(width, height, type);
        fill(image, 0, width / 2);
        return image;
    }

    private static void fill(BufferedImage image, int left, int right) {
        Graphics2D graphics = image.createGraphics();
        for (int x = left; x < right; x++) {
            graphics.setColor(Color.getHSBColor((float) x / image.getWidth(), 0.8f, 0.9f));
            graphics.drawLine(x, 0, x, image.getHeight());
        }
        graphics.dispose();
    }

    private static byte[] encoded(BufferedImage image, String format) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            if (!ImageIO.write(image, format, bytes)) {
                throw new IOException("cannot write " + format);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
