package io.millrace.load;

import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.List;

import javax.imageio.ImageIO;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

/** Serves pictures of the sizes that shops send, so that no load test needs, or loads, anybody else's server. */
final class PictureHost implements AutoCloseable {
    /** How many addresses there are; workers remember what they have downloaded, by address. */
    static final int PICTURES = 60;

    private static final List<int[]> SIZES = List.of(new int[]{320, 240}, new int[]{550, 368}, new int[]{1280, 720});

    private final HttpServer server;
    private final String base;
    private final List<byte[]> pictures = SIZES.stream().map(size -> draw(size[0], size[1])).toList();

    /**
     * @param host the address of this machine that the workers use, and the only one that is listened on
     * @param port 0 for any free one
     */
    PictureHost(String host, int port) {
        try {
            server = HttpServer.create(new InetSocketAddress(host, port), 0);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot serve pictures on " + host + ":" + port
                    + ": set load.pictures-host to an address of this machine, and load.pictures-port to a free port", e);
        }
        base = "http://" + host + ":" + server.getAddress().getPort() + "/";
        server.createContext("/", this::serve);
        server.start();
    }

    /** @param number 0 to {@value #PICTURES} - 1 */
    String url(int number) {
        return base + number + ".jpg";
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] picture = pictures.get(Math.abs(exchange.getRequestURI().getPath().hashCode() % pictures.size()));
            exchange.getResponseHeaders().set("Content-Type", "image/jpeg");
            exchange.sendResponseHeaders(200, picture.length);
            exchange.getResponseBody().write(picture);
        }
    }

    private static byte[] draw(int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setPaint(new GradientPaint(0, 0, Color.ORANGE, width, height, Color.BLUE));
        graphics.fillRect(0, 0, width, height);
        graphics.dispose();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            if (!ImageIO.write(image, "jpg", bytes)) {
                throw new IllegalStateException("this JVM writes no JPEG");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
