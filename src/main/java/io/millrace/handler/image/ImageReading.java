package io.millrace.handler.image;

import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.BooleanSupplier;

import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageOutputStream;

import org.imgscalr.Scalr;

/** Measures an image and makes thumbnails of it. Blocks and computes; asks nothing of the network. */
final class ImageReading {

    /** How many pixels of the source, in each direction, go into one of the largest thumbnail; the rest is skipped while reading. */
    private static final int OVERSAMPLING = 3;

    /**
     * @param size the longest edge that was asked for; the thumbnail of a smaller image has the size of the image
     * @param extension jpg, or png if some of it is transparent
     */
    record Thumbnail(int size, int width, int height, String extension, byte[] bytes) {
        String contentType() {
            return extension.equals("png") ? "image/png" : "image/jpeg";
        }
    }

    /** @param thumbnails in the order asked for */
    record Picture(ImageFormat format, int width, int height, List<Thumbnail> thumbnails) {}

    private final long maxPixels;
    private final int maxFrames;

    ImageReading(long maxPixels, int maxFrames) {
        this.maxPixels = maxPixels;
        this.maxFrames = maxFrames;
    }

    /**
     * @param sizes longest edges of the thumbnails; if empty, the image is measured but not decoded
     * @param stop asked again and again while decoding; true ends it
     * @throws ImageProblem if the image cannot be used; passing if it was stopped, permanent otherwise
     */
    Picture read(byte[] bytes, List<Integer> sizes, BooleanSupplier stop) throws ImageProblem {
        ImageFormat format = ImageFormat.of(bytes).orElseThrow(
                () -> ImageProblem.permanent("not-an-image", "what is there is not a JPEG, PNG, GIF or WebP image"));
        ImageReader reader = format.reader();
        StoppableImageStream stream = new StoppableImageStream(bytes, stop);
        try {
            // Metadata is ignored: its compressed text would be a bomb of its own.
            reader.setInput(stream, false, true);
            if (format == ImageFormat.WEBP) {
                checkWebp(new WebpFile(bytes));
            }
            int width = reader.getWidth(0);
            int height = reader.getHeight(0);
            checkPixels((long) width * height, width + " x " + height);
            checkFrames(format, reader);
            List<Thumbnail> thumbnails = sizes.isEmpty()
                    ? List.of()
                    : thumbnails(decode(format, reader, stream, sizes), width, height, sizes);
            return new Picture(format, width, height, thumbnails);
        } catch (IOException | RuntimeException e) {
            if (stream.wasStopped()) {
                throw ImageProblem.passing("decode-timeout", "decoding took too long");
            }
            throw unreadable(format, e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage());
        } finally {
            reader.dispose();
        }
    }

    private void checkWebp(WebpFile file) throws ImageProblem {
        if (file.isCutShort()) {
            throw unreadable(ImageFormat.WEBP, "the file ends too early");
        }
        checkPixels(file.mostPixels(), "larger inside than its header says");
    }

    private void checkPixels(long pixels, String description) throws ImageProblem {
        if (pixels > maxPixels) {
            throw ImageProblem.permanent("too-many-pixels",
                    "the image is " + description + "; the most is " + maxPixels + " pixels (millrace.image.max-pixels)");
        }
    }

    private void checkFrames(ImageFormat format, ImageReader reader) throws IOException, ImageProblem {
        boolean mayBeAnimated = format == ImageFormat.GIF || format == ImageFormat.WEBP;
        if (mayBeAnimated && reader.getNumImages(true) > maxFrames) {
            throw ImageProblem.permanent("too-many-frames",
                    "the animation has " + reader.getNumImages(true) + " frames; the most is "
                            + maxFrames + " (millrace.image.max-frames)");
        }
    }

    /** The first frame, with no more pixels than the largest thumbnail needs. */
    private static BufferedImage decode(ImageFormat format, ImageReader reader, StoppableImageStream stream,
            List<Integer> sizes)
            throws IOException {
        int longest = Math.max(reader.getWidth(0), reader.getHeight(0));
        int every = Math.max(1, longest / (OVERSAMPLING * largest(sizes)));
        ImageReadParam param = reader.getDefaultReadParam();
        param.setSourceSubsampling(every, every, 0, 0);
        BufferedImage image = reader.read(0, param);
        // Some decoders fill up what is missing with grey. That of WebP reads ahead, so its file is measured beforehand.
        if (stream.wasStopped() || (stream.hasRunOut() && format != ImageFormat.WEBP)) {
            throw new IOException("the file ends too early");
        }
        return image;
    }

    /** From the largest to the smallest, each out of the one before. */
    private static List<Thumbnail> thumbnails(BufferedImage image, int width, int height, List<Integer> sizes)
            throws IOException {
        List<Thumbnail> made = new ArrayList<>();
        BufferedImage source = image;
        Boolean transparent = null;
        for (int size : sizes.stream().sorted(Comparator.reverseOrder()).toList()) {
            double scale = Math.min(1, (double) size / Math.max(width, height));
            source = scaled(source, Math.max(1, (int) Math.round(width * scale)),
                    Math.max(1, (int) Math.round(height * scale)));
            transparent = transparent == null ? isTransparent(source) : transparent;
            String extension = transparent ? "png" : "jpg";
            made.add(new Thumbnail(size, source.getWidth(), source.getHeight(), extension,
                    encoded(transparent ? source : opaque(source), extension)));
        }
        made.sort(Comparator.comparing(thumbnail -> sizes.indexOf(thumbnail.size())));
        return made;
    }

    private static BufferedImage scaled(BufferedImage source, int width, int height) {
        return source.getWidth() == width && source.getHeight() == height
                ? source
                : Scalr.resize(source, Scalr.Method.QUALITY, Scalr.Mode.FIT_EXACT, width, height);
    }

    /** Many images have an alpha channel and no use for it. */
    private static boolean isTransparent(BufferedImage image) {
        if (!image.getColorModel().hasAlpha()) {
            return false;
        }
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                if (image.getRGB(x, y) >>> 24 != 0xff) {
                    return true;
                }
            }
        }
        return false;
    }

    /** JPEG has no alpha channel: given one, ImageIO writes nothing. */
    private static BufferedImage opaque(BufferedImage image) {
        BufferedImage rgb = new BufferedImage(image.getWidth(), image.getHeight(), BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = rgb.createGraphics();
        graphics.drawImage(image, 0, 0, null);
        graphics.dispose();
        return rgb;
    }

    private static byte[] encoded(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        // Given a plain stream, ImageIO would write a temporary file.
        try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(bytes)) {
            if (!ImageIO.write(image, format, stream)) {
                throw new IOException("no " + format + " can be made of this kind of image");
            }
        }
        return bytes.toByteArray();
    }

    private static int largest(List<Integer> sizes) {
        return sizes.stream().mapToInt(Integer::intValue).max().orElseThrow();
    }

    private static ImageProblem unreadable(ImageFormat format, String message) {
        return ImageProblem.permanent("unreadable",
                "the " + format.label() + " image is damaged or of an unusual kind: " + message);
    }
}
