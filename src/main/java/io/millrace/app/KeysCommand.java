package io.millrace.app;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import io.millrace.account.SigningKeys;

/**
 * {@code keys [--if-missing] [folder]}: makes the key pair that access tokens are signed with, and starts nothing. With
 * {@code --if-missing} a pair that is there is as good, so that whoever starts containers may run it each time.
 */
final class KeysCommand {
    static final String NAME = "keys";
    private static final String IF_MISSING = "--if-missing";

    private KeysCommand() {}

    static boolean isMeant(String... args) {
        return args.length > 0 && args[0].equals(NAME);
    }

    /**
     * @param args the name of the command, {@code --if-missing} if a pair that is there is as good, and, if it is not the current one,
     *        the folder; it is made if it is not there
     * @return what to do next
     * @throws StartFailure if there is a key already, or the folder cannot be written to
     */
    static List<String> run(String... args) {
        List<String> arguments = new ArrayList<>(List.of(args).subList(1, args.length));
        boolean onlyIfMissing = arguments.remove(IF_MISSING);
        if (arguments.size() > 1 || arguments.stream().anyMatch(argument -> argument.startsWith("-"))) {
            throw StartFailure.usage("keys takes one folder: keys [" + IF_MISSING + "] [folder]");
        }
        Path folder = Path.of(arguments.isEmpty() ? "" : arguments.get(0)).toAbsolutePath().normalize();
        Path privateKey = folder.resolve("private.pem");
        Path publicKey = folder.resolve("public.pem");
        if (!onlyIfMissing || !isPair(privateKey, publicKey)) {
            make(folder, privateKey, publicKey);
        }
        return List.of("MILLRACE_AUTH_PRIVATE_KEY=" + privateKey, "MILLRACE_AUTH_PUBLIC_KEY=" + publicKey);
    }

    private static boolean isPair(Path privateKey, Path publicKey) {
        if (!Files.exists(privateKey) || !Files.exists(publicKey)) {
            return false;
        }
        try {
            SigningKeys.read(privateKey, List.of(publicKey));
            return true;
        } catch (IllegalArgumentException e) {
            throw StartFailure.usage("there are keys already, but they cannot be used: " + e.getMessage());
        }
    }

    private static void make(Path folder, Path privateKey, Path publicKey) {
        try {
            Files.createDirectories(folder);
            SigningKeys.makeNewFiles(privateKey, publicKey);
        } catch (FileAlreadyExistsException there) {
            throw StartFailure
                    .usage(there.getMessage() + " is there already, and stays as it is: move it away, or name another "
                            + "folder");
        } catch (IOException e) {
            throw StartFailure.environment("the keys cannot be written to " + folder + " (" + e.getMessage() + ")");
        }
    }
}
